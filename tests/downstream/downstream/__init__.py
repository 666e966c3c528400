"""A project that has a reactor of its own."""
