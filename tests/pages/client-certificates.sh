cd hub
before_3() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -subj '/CN=Bank CA' \
        -addext keyUsage=critical,keyCertSign,cRLSign
    openssl x509 -req -in hub.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 90 -out returned.pem \
        -extfile <(echo extendedKeyUsage=clientAuth)
}
