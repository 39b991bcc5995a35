"""One live feed of a venue: the life of its socket, and how the socket is replaced."""
