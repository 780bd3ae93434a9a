"""The front door: what API Gateway does, and MiniStack does not."""
