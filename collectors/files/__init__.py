"""Files of the operator's that grow, as those of a venue's node: followed line by line."""
