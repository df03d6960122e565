"""Saved models: two files of plain data, checked byte by byte, and predictions from them with NumPy alone."""
