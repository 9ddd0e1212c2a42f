mkdir est && cp bank/ca.crt est/ca.crt && cd est
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tls.key -out tls.csr \
    -subj '/C=FR/ST=Ile-de-France/L=Paris/O=First Bank/OU=Payments/CN=TLSMA-ECDSA\/12345678\/PPR'
before_1() { cd ../hub; }
before_2() { PASSWORD=$(head -1 "$SAID"); cd ../est; }
before_3() { grep -q '202 Accepted' "$SAID"; bothways request approve "$(bothways request list --directory ../hub --json | python3 -c 'import json,sys; print(json.load(sys.stdin)[-1]["id"])')" --directory ../hub; }
