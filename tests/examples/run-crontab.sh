#!/usr/bin/env bash
# Runs the line of a file in /etc/cron.d as cron(8) does, but now: with the variables of that file and few others, by
# sh(1), in the home of its user. What is printed is sent by mail, here to /var/mail. The exit status is that of the
# line.
set -euo pipefail

table=$1
variables=()
while read -r first second third fourth fifth user command; do
    case "$first" in
        '' | '#'*) ;;
        *=*) variables+=("$first") ;;
        *) line=("$first" "$second" "$third" "$fourth" "$fifth" "$user" "$command") ;;
    esac
done <"$table"
for field in "${line[@]:0:5}"; do
    [[ $field == '*' || $field =~ ^[0-9]+$ ]] || { echo "bad field in $table: $field" >&2; exit 2; }
done
[[ ${line[5]} == root ]]
mail=$(printf '%s\n' "${variables[@]}" | sed -n 's/^MAILTO=//p')
status=0
# cron(8) sets these; those of the table come after them.
cd /root
variables=(HOME=/root LOGNAME=root PATH=/usr/bin:/bin "${variables[@]}")
said=$(env -i "${variables[@]}" /bin/sh -c "${line[6]}" 2>&1 </dev/null) || status=$?
if [[ -n $said ]]; then
    mkdir -p /var/mail
    printf 'Subject: Cron <root> %s\n\n%s\n' "${line[6]}" "$said" >>"/var/mail/$mail"
fi
exit "$status"
