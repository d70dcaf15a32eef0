"""Files that are whole when they exist: atomic writing, HDF5 with its checks, tables, logs."""
