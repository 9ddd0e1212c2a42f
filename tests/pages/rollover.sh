cd hub
