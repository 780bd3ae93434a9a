"""A proxy that takes OpenAI's plain dialect at any size, for clients that know only a base URL."""
