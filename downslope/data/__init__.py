"""From a file, a data frame or arrays to typed columns, splits and encoded features; NumPy only, no JAX."""
