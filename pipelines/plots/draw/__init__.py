"""Frames in, matplotlib Figure out: no lake, no clock, no file. A picture a file."""
