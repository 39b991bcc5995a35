"""Frames to facts: one by one through their venue's parser, or many of one channel at once with the same result."""
