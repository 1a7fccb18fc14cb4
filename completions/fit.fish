# fish completion for fit: its commands, and behind one of them what that command completes
complete -c fit -f
complete -c fit -n __fish_is_first_token -a "help (command ls (fit --exec-path))"
complete -c fit -n __fish_is_first_token -l exec-path -d 'print the folder of the commands'
complete -c fit -n __fish_is_first_token -l help -s h -d 'show this help'
complete -c fit -n __fish_is_first_token -l version -d 'show the version'
complete -c fit -n '__fish_seen_subcommand_from help' -a "fittings fit-function fit-state (command ls (fit --exec-path))"
for command in (command ls (fit --exec-path))
    (fit --exec-path)/$command --dump-options=fish | source
    complete -c fit -n "__fish_seen_subcommand_from $command" -w $command
end
