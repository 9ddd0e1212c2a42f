cp bank/server-ca.crt hub/chain.pem
cp bank/server.crt hub/server.crt
cd hub
before_3() {
    sed -n '/^# Label: "ISRG Root X1"/,/END CERTIFICATE/p' "$(python3 -m certifi)" > public.pem
    bothways chain submit 12345678 public.pem
}
