"""What can be said of the data's wholeness: how much of each feed was heard, and whether what must hold holds."""
