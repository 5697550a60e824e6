"""The command line: one module per subcommand; each imports its body when it is called."""
