before_2() {
    bothways certificate crl --directory hub > newest.crl
    mv elsewhere/hub-*.bothways elsewhere/hub-2026-11-24.bothways
    mv hub lost
}
