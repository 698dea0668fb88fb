# shellcheck shell=bash
# A throwaway Kerberos realm, TUSK.TEST, and a server in it: what `server realm` starts. Sourced by test/harness/server, whose
# functions it uses. KDC, configuration, keytab and tickets lie in DIR/realm; nothing of the system's is read or written.

REALM=TUSK.TEST

# What cannot be had, if anything: the tests skip aloud.
realm_lacks() {
    local program
    for program in /usr/sbin/krb5kdc /usr/sbin/kdb5_util /usr/sbin/kadmin.local; do
        [ -x "$program" ] || { echo "there is no ${program##*/}"; return; }
    done
    command -v kinit >/dev/null || { echo "there is no kinit"; return; }
    ldd "$pgbin/postgres" | grep libgssapi >/dev/null || echo "this server is built without GSSAPI"
}

write_krb5_conf() {
    cat <<CONF
[libdefaults]
default_realm = $REALM
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
kdc_timesync = 0
[realms]
$REALM = {
 kdc = 127.0.0.1:$1
}
[domain_realm]
localhost = $REALM
CONF
}

write_kdc_conf() {
    cat <<CONF
[kdcdefaults]
kdc_listen = 127.0.0.1:$1
kdc_tcp_listen = 127.0.0.1:$1
[realms]
$REALM = {
 database_name = $realm/principal
 key_stash_file = $realm/stash
 acl_file = $realm/acl
}
[logging]
kdc = FILE:$realm/kdc.log
default = FILE:$realm/krb5.log
CONF
}

# A service of the usual name and one of another, both with keys of the server; one that has none of it; who logs in.
make_principals() {
    /usr/sbin/kdb5_util create -s -r $REALM -P master
    /usr/sbin/kadmin.local -r $REALM <<COMMANDS
addprinc -pw pw-t_gss t_gss
addprinc -randkey postgres/localhost
addprinc -randkey billing/localhost
addprinc -randkey stranger/localhost
ktadd -k $realm/server.keytab postgres/localhost billing/localhost
COMMANDS
    give_to_account "$realm/server.keytab"
}

kdc_is_up() {
    [ -s "$realm/kdc.pid" ] && (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Its port may be taken before it listens, hence the tries.
start_kdc() {
    local kdc_port try look pid
    for try in 1 2 3 4 5; do
        kdc_port=$(free_port)
        write_krb5_conf "$kdc_port" >"$realm/krb5.conf"
        write_kdc_conf "$kdc_port" >"$realm/kdc.conf"
        [ "$try" -gt 1 ] || make_principals
        /usr/sbin/krb5kdc -n -P "$realm/kdc.pid" &
        pid=$!
        for look in {1..500}; do
            ! kdc_is_up "$kdc_port" || return 0
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.02
        done
        kill "$pid" 2>/dev/null || true
    done
    return 1
}

# ticket NAME OPTION…: in DIR/realm/NAME.cc, for the realm alone. Services' tickets are added by whoever uses it
ticket() {
    local name=$1
    shift
    kinit "$@" -c "FILE:$realm/$name.cc" t_gss <<<pw-t_gss
}

make_realm() {
    export KRB5_CONFIG=$realm/krb5.conf KRB5_KDC_PROFILE=$realm/kdc.conf
    start_kdc
    ticket expired -l 1s
    ticket t_gss -f
    ticket fixed -F
}

# For klist, a ticket has expired in its last second; for GSSAPI, when that is over.
wait_for_expiry() {
    local last
    while klist -s -c "FILE:$realm/expired.cc"; do sleep 0.05; done
    printf -v last '%(%s)T' -1
    while [ "$(printf '%(%s)T' -1)" = "$last" ]; do sleep 0.05; done
}

realm_hba() {
    cat <<HBA
hostssl   all  t_gss_tls    all  gss include_realm=0 krb_realm=$REALM map=gss
host      all  t_gss        all  gss include_realm=0 krb_realm=$REALM
host      all  t_gss_realm  all  gss include_realm=0 krb_realm=OTHER.TEST
host      all  t_gss_else   all  gss include_realm=0 krb_realm=$REALM
HBA
}

# realm DIR NAME: prints the server's port. Status 77, and why, if it cannot be had.
realm() {
    local host=$1 name=$2 lack realm
    [ -e "$host/.tusk-server" ] || die "not a folder of a test server: $host"
    pgbin=${TUSK_TEST_PGBIN:-$(newest_pgbin)}
    lack=$(realm_lacks)
    [ -z "$lack" ] || { echo "$lack"; exit 77; }
    prepare_folder "$host/$name"
    realm=$dir/realm
    mkdir "$realm"
    ln -s ../tls "$dir/tls"
    (make_realm) >"$dir/realm.log" 2>&1 </dev/null || { cat "$dir/realm.log" >&2; die "the realm did not start"; }
    make_data
    realm_hba >>"$dir/data/pg_hba.conf"
    echo 'gss t_gss t_gss_tls' >>"$dir/data/pg_ident.conf"
    echo "krb_server_keyfile = '$realm/server.keytab'" >>"$dir/data/postgresql.conf"
    create_roles < <(printf 'create role %s login;\n' t_gss t_gss_tls t_gss_realm t_gss_else)
    export KRB5_CONFIG=$realm/krb5.conf KRB5RCACHEDIR=$dir/s
    launch
    write_env >"$dir/env"
    wait_for_expiry
}

# stop_kdc DIR: also of one that is half started, or none
stop_kdc() {
    local pid look
    pid=$(head -n 1 "$1/realm/kdc.pid" 2>/dev/null) || return 0
    kill "$pid" 2>/dev/null || return 0
    for look in {1..200}; do kill -0 "$pid" 2>/dev/null || return 0; sleep 0.02; done
    kill -KILL "$pid" 2>/dev/null || true
}
