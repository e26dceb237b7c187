"""What a panel goes through before it is forecast: scales, parts, errors, clusters. One file a concept."""
