"""What the assistant does, as plain data in and plain data out; no protocol types, no input or output."""
