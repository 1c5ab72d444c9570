"""The shipped profiles: JSON documents, each with its card."""
