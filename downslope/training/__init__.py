"""The compiled engine: many training runs as one program."""
