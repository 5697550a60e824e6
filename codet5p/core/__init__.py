"""What every part shares: errors, configuration, tokenizer, the artifact format. No torch, no editor protocol."""
