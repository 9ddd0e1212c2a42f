(umask 077; openssl rand -hex 24 > bank/passphrase)
mkdir new && cd new
before_2() { mkdir token && cd token; }
