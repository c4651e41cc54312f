"""Telling a real talking face from a fake one by the motion of its mouth."""
