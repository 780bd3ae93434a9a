"""What the API does with files and uploads. Knows neither HTTP nor AWS."""
