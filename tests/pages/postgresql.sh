# As the database's own people: by its socket, where nobody else gets in.
database() { env -u PGHOSTADDR psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --host "$SOCKETS" --username postgres "$@"; }
made() { database --file made.sql --command "ALTER ROLE bothways PASSWORD 'a password of the database'"; }
made
(umask 077; echo "db.example:$PGPORT:bothways:bothways:a password of the database" > bank/pgpass)
mv hub in-a-file
before_2() {
    bothways hub terms --directory hub
    rm -r hub
    mv in-a-file hub
    database --command 'DROP DATABASE bothways' --command 'DROP ROLE bothways'
    made
}
