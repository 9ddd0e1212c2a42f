cd hub
before_4() {
    # A customer who takes the contract needs a hub that runs: here there is none left who lags behind.
    bothways customer remove 12345678 --reason 'nobody takes the contract here'
    # The numbers that `authority list` shows: of the CA that the first command announces, and of the one before.
    bothways() {
        set -- "${@/#NUMBER/8}"
        command bothways "${@/#OLD/3}"
    }
}
