@echo off
rem npm's shell on Windows has no exec and no sh. This runs what follows scripts/node.sh in package.json, by the rule
rem that scripts/node.sh explains. On the path, node.exe is the machine's own and node.cmd the one that npm brought.
setlocal
set words=%*
set words=%words:*scripts/node.sh=%
set fits=
for /f "tokens=1,2 delims=v." %%a in ('node.exe -v 2^>nul') do (
  if %%a equ 24 if %%b geq 15 set fits=yes
  if %%a gtr 24 for /f %%c in ('node.exe -p process.release.lts') do if not %%c==undefined set fits=yes
)
if defined fits (set node=node.exe) else set node=node
%node% %words%
