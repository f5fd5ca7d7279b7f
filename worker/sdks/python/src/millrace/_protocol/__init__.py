"""The protocol's messages, which generate.sh makes from processor.proto."""
