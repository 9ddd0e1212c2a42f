echo '{"token": "4111", "state": "active"}' > notification.json
