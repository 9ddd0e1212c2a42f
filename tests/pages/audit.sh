cd hub
before_2() { cp ../elsewhere/head-*.json head.json; }
