mkdir carried bank
cp first/hub.toml first/contract.toml carried
cp --preserve=mode first/passphrase bank/passphrase
(umask 077; echo 'another passphrase' > new)
before_3() { sed -i 's/portal.hub.example/people.hub.example/' hub/contract.toml; }
