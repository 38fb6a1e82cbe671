"""The commands of `modelops`, by what they are about."""
