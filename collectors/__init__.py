"""Talk to the venues and keep every frame exactly as it arrived. Nothing here reads a frame for its meaning."""
