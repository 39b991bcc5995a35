"""The books of contracts and margin tables as of any time, made from what the venues list."""
