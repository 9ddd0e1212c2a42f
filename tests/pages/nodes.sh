sed -i 's/^nodes_port = 0/nodes_port = 18000/; s/^nodes_connectivity_port = 0/nodes_connectivity_port = 18001/' hub/hub.toml
