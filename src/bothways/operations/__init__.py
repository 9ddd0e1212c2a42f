"""What a person can ask of a hub: one file per noun, one function per verb, one transaction each."""
