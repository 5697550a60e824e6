"""The pretraining objectives of CodeT5+, as pure functions."""
