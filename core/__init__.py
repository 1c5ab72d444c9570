"""The ground floor: what measuring and humanizing both stand on."""
