"""`spoke check`, the doctor: this machine, DNS, the way to the hub, and the way from it. One file for each."""
