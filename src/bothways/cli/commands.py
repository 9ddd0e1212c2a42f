"""Which commands there are, and where each stands: tables, which import nothing of what they name."""

TAGLINE = "Mutual-TLS connectivity between a hub and its customers, both ways."
EXIT_CODES = "Exit codes: 0 ok, 1 a check failed, 2 usage, 3 network, 4 not authorized, 5 expiring soon."

# Commands that stand in no group: where each is, and its line.
ALONE = {
    "mcp": ("bothways.cli.mcp:mcp", "Serve an assistant over MCP, read-only."),
    "ask": ("bothways.cli.ask:ask", "Answer a question out of the documentation, without a network."),
    "demo": ("bothways.demo.command:demo", "Two hubs, two customers, every step, for real."),
    "probe": ("bothways.cli.outbound:probe", "Call a customer's server once, and record what was seen."),
    "rotate": ("bothways.cli.outbound:rotate", "Renew the hub's client certificate towards customers."),
}
# What each command does, in a line for the overview; the rest is said by the command itself, which is imported only
# when it is called.
GROUPS = {
    "hub": (
        "Make a hub, run it, look at it.",
        {
            "init": "Make a hub for one environment, in a directory of its own.",
            "run": "Run the hub: control plane, portal and Envoy, until Ctrl-C.",
            "envoy": "Keep the hub's Envoy running, also without the hub.",
            "status": "Show whether the hub runs, what its Envoys serve, and all customers.",
            "doctor": "Look at everything that can ail a hub, and say what mends it.",
            "reopen": "Open the endpoint that the canary shut.",
            "retry": "Have one node try again what is held back.",
            "backup": "Write a backup of the hub, which may run meanwhile, into one encrypted file.",
            "restore": "Make a hub from a backup.",
            "reconcile": "Bring a hub in line whose database was put back to an older state.",
            "migrate-store": "Copy the hub's database from its file into PostgreSQL, and compare every row.",
            "migrate": "Bring the database of an earlier release to this one's schema.",
            "join": "Make a further control plane of a hub in PostgreSQL.",
            "passphrase": "Change the passphrase of the hub's private keys.",
            "terms": "Show or set the terms that all control planes have.",
            "metrics": "Print the metrics of the running hub, for Prometheus.",
            "contract": "Print the contract, or the OpenSSL commands for one customer.",
        },
    ),
    "node": (
        "A remote Envoy of the hub, on its own machine.",
        {
            "run": "Keep this node's Envoy running, also while the hub is away.",
            "status": "Show whether this node serves, whose configuration, and until when its certificate lasts.",
        },
    ),
    "customer": (
        "The hub's customers.",
        {
            "add": "Register a customer under its tspId.",
            "list": "List all customers with the state of their flows.",
            "show": "Show one customer: each flow with its checklist.",
            "suspend": "Let nothing through in either direction.",
            "resume": "Resume a suspended customer.",
            "remove": "Remove a customer for good.",
            "enrolment-password": "Make a one-time password for enrolment by EST.",
        },
    ),
    "request": (
        "Certification requests of customers.",
        {
            "check": "Look at a customer's request (CSR) without submitting it.",
            "submit": "Submit a customer's request (CSR) for review.",
            "list": "List requests.",
            "show": "Show a request with what the rules say about it.",
            "approve": "Approve a request, and issue its certificate.",
            "refuse": "Refuse a request.",
            "keys": "Print the SHA-256 of all keys, for the other environment to refuse them.",
            "withdraw": "Withdraw an approval: no certificate of it stays usable.",
        },
    ),
    "certificate": (
        "Certificates of customers.",
        {
            "list": "List certificates.",
            "show": "Print a certificate with its issuer in PEM.",
            "revoke": "Revoke a certificate: the next request with it is refused.",
            "crl": "Print the revocation list (CRL) of an issuing CA.",
        },
    ),
    "key": (
        "Keys that others can have.",
        {"ban": "Ban a key for good, and revoke what is certified under it.", "list": "List keys that are banned."},
    ),
    "observation": (
        "Why calls to the endpoint failed.",
        {"list": "List why calls failed, and what repairs it: of a customer, or of nobody known."},
    ),
    "endpoint": (
        "Customers' servers, which the hub calls.",
        {
            "set": "Record the base URL of a customer's server.",
            "show": "Show where a customer's server is.",
            "submit": "Submit a base URL for review, as the customer does.",
            "list": "List the base URLs that wait for review.",
            "approve": "Approve a base URL that was submitted.",
            "refuse": "Refuse a base URL that was submitted.",
        },
    ),
    "chain": (
        "CA chains of customers' servers.",
        {
            "submit": "Submit the CA chain of a customer's server for review.",
            "list": "List chains.",
            "show": "Show a chain with its certificates in PEM.",
            "endorse": "Endorse a chain for this customer's server alone.",
            "refuse": "Refuse a chain.",
            "withdraw": "Withdraw an endorsement.",
        },
    ),
    "outbound": (
        "Client certificates that customers' own CAs sign for the hub.",
        {
            "csr": "Make a key for one customer alone, and the request (CSR) for its CA.",
            "install": "Show the customer the certificate that its CA signed.",
            "show": "Show which client certificate a customer is shown.",
            "remove": "Show the customer the hub's own client certificate again.",
        },
    ),
    "bundle": (
        "What is exchanged with a customer by hand: one signed zip in each direction.",
        {
            "export": "Write a bundle for a customer: contract, CAs, commands, instructions to print.",
            "import": "Take in what a customer sent back: request, server chain, address.",
        },
    ),
    "service": (
        "Services behind the endpoint.",
        {
            "add": "Put a service behind the endpoint.",
            "list": "List services, each with how many customers it was granted to.",
            "grants": "List the customers that a service was granted to.",
            "grant": "Grant a service to a customer.",
            "withdraw": "Withdraw a service from a customer.",
        },
    ),
    "audit": (
        "The record of all changes.",
        {
            "verify": "Check that no line of the audit was changed, removed, put in or cut off.",
            "export": "Print the audit as JSON lines, with its signed head.",
            "head": "Write the signed head of the audit to a file, to be kept elsewhere.",
        },
    ),
    "person": (
        "People: of the hub, and of customers.",
        {
            "add": "Put a person on record, with a role.",
            "list": "List people.",
            "invite": "Print a link with which a person makes their account for the portal.",
            "confirm": "Confirm, as the second person, who is to decide or how they sign in.",
            "refuse": "Refuse who was put on record, or their invitation, while it waits.",
            "disable": "Let a person in no more.",
        },
    ),
    "token": (
        "Tokens for the API.",
        {
            "add": "Make an API token, which is shown once.",
            "list": "List API tokens.",
            "revoke": "Revoke an API token.",
        },
    ),
    "spoke": (
        "The customer's side: key, certificate, calls to the hub, and calls from it.",
        {
            "init": "Make a spoke for one environment from the hub's contract.",
            "csr": "Make a key and a request (CSR) that the hub's rules accept; also to renew.",
            "install": "Check the certificate that the hub issued, and install it.",
            "status": "Show what this spoke has, until when, and what to do next.",
            "contract": "Take in a newer contract of the hub, and say what it changes.",
            "check": "Look at everything on both ways, and say what mends it.",
            "renew": "Renew the certificate if it is due, or put the one before back.",
            "call": "Call the hub over mutual TLS.",
            "listen": "Receive the hub's calls over mutual TLS, print each, and hand it on.",
            "run": "Run the sidecar: mutual TLS for applications that speak plain HTTP.",
            "export": "Write key and certificate as PKCS #12, Kubernetes Secret or Java keystore.",
            "config": "Print a complete configuration for what you already run: nginx, Java, Node, ...",
        },
    ),
}
# Groups inside a group: the function of each command, in a module of their own.
INNER = {
    ("customer", "contact"): (
        "Who is told what is about to end, for a customer.",
        "contact",
        {
            "add": ("add", "Add a contact of a customer, by e-mail or webhook."),
            "list": ("list_", "List the contacts of a customer."),
            "remove": ("remove", "Remove a contact of a customer."),
        },
    ),
    ("spoke", "bundle"): (
        "What is exchanged with the hub by hand.",
        "spoke_bundle",
        {
            "import": ("import_", "Take in a later bundle of the hub."),
            "export": ("export", "Write the answer: request, server chain, address, signed with your key."),
        },
    ),
    ("hub", "authority"): (
        "The hub's CAs.",
        "authority",
        {
            "activate": ("activate", "Have the endpoint change over to the next server CA, or back."),
            "add": ("add", "Put a new CA beside the one that signs."),
            "behind": ("behind", "List who may not trust the next server CA yet."),
            "list": ("list_", "List all CAs of the hub."),
            "retire": ("retire", "Trust a CA no more."),
        },
    ),
    ("hub", "node"): (
        "Remote Envoys of the hub.",
        "node",
        {"list": ("list_", "List all nodes."), "withdraw": ("withdraw", "Let a node in no more.")},
    ),
    ("hub", "contact"): (
        "Who is told what is about to end, for the operator.",
        "contact",
        {
            "add": ("add_own", "Add a contact of the operator, by e-mail or webhook."),
            "list": ("list_own", "List the contacts of the operator."),
            "remove": ("remove_own", "Remove a contact of the operator."),
        },
    ),
}
# Commands in a module of their own.
MODULES = {
    ("hub", "backup"): "hub_backup",
    ("hub", "doctor"): "hub_doctor",
    ("hub", "envoy"): "hub_envoy",
    ("hub", "restore"): "hub_backup",
    ("hub", "reconcile"): "hub_backup",
    ("hub", "join"): "hub_planes",
    ("hub", "migrate"): "hub_migrate",
    ("hub", "migrate-store"): "hub_move",
    ("node", "run"): "node_run",
    ("node", "status"): "node_run",
    ("hub", "passphrase"): "hub_planes",
    ("hub", "terms"): "hub_planes",
    ("request", "check"): "request_check",
    ("spoke", "install"): "spoke_install",
    ("spoke", "contract"): "spoke_contract",
    ("spoke", "check"): "spoke_check",
    ("spoke", "renew"): "spoke_renew",
    ("spoke", "run"): "spoke_run",
    ("spoke", "export"): "spoke_export",
    ("spoke", "config"): "spoke_config",
}
# Names of commands that are words of Python, or cannot be any.
FUNCTIONS = {
    "list": "list_",
    "set": "set_",
    "import": "import_",
    "enrolment-password": "enrolment_password",
    "migrate-store": "migrate_store",
}
# Commands about hubs that no hub elsewhere can be asked for, with the reason that a person is told.
ONLY_HERE = {
    "hub init": "it makes the hub's directory, with its keys",
    "hub run": "it is the hub",
    "hub envoy": "it is the process beside the hub's Envoy",
    "hub doctor": "it looks at the hub's machine, its files and its ports",
    "hub backup": "a backup holds the hub's keys, which never leave its machine by the network",
    "hub reconcile": "no control plane may run meanwhile",
    "hub join": "it makes the directory of a control plane",
    "hub passphrase": "a passphrase never goes over the network",
    "hub terms": "it reads the file with the terms in the hub's directory",
    "hub migrate": "it changes the database that the hub's directory names",
    "hub migrate-store": "it reads the hub's own file",
    "node run": "it is the process beside a remote Envoy",
    "node status": "it looks at the files of the node",
    "hub restore": "it makes the hub's directory, with its keys",
    "hub envoy-bootstrap": "it writes the private key of a node, which the hub makes and never sends",
}
