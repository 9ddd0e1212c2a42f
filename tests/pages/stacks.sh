before_2() { cd bank; (umask 077; openssl rand -hex 24 > p12.password); }
