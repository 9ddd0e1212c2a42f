"""What is spoken in TLS, in BoringSSL's names: one list for the hub's Envoys and the spoke's sidecar. Values alone."""

CIPHER_SUITES = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
)
"""TLS 1.2 suites of Mozilla's "intermediate" profile that BoringSSL has; TLS 1.3 suites are not configurable."""

SIGNATURE_ALGORITHMS = (
    "ecdsa_secp256r1_sha256",
    "rsa_pss_rsae_sha256",
    "rsa_pkcs1_sha256",
    "ecdsa_secp384r1_sha384",
    "rsa_pss_rsae_sha384",
    "rsa_pkcs1_sha384",
    "rsa_pss_rsae_sha512",
    "rsa_pkcs1_sha512",
)
"""Named, because the default list still offers SHA-1 in CertificateRequest."""

CURVES = ("X25519", "P-256", "P-384")
"""P-384 is what some banks' policies name. By default Envoy does not offer it."""

CURVES_ANSWERED = ("X25519MLKEM768", *CURVES)
"""What is recorded today is not read when quantum computers are there, with clients that can. Only where we answer:
offered to others, its key share makes the first message of a handshake larger than a packet, and old boxes drop it.
"""
