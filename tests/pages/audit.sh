cd hub
before_3() { cp ../elsewhere/head-*.json head.json; }
