"""`hub doctor`: this machine, what is stored, the network, what runs. One file for each; nothing is changed."""
