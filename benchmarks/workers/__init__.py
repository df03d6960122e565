"""One module for each process that measures; only these import a framework."""
