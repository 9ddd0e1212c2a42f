bothways spoke renew --force --by-hand --directory bank
bothways request submit 12345678 bank/renewal/tls.csr --directory hub
export CURL_CA_BUNDLE=$PWD/bank/ca.crt BOTHWAYS_CA=$PWD/bank/ca.crt
cd hub
before_2() { TOKEN=$(head -1 "$SAID"); mkdir ~/.bothways; (umask 077; echo "$TOKEN" > ~/.bothways/token); }
