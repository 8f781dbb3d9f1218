"""The product measured against a floor, on the same machine in the same run: ratios, never seconds."""
