"""What there is to know of a network's layers before they are recorded: names, axes, geometry, context, rounding."""
