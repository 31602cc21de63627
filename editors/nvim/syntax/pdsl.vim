" Written by `BLESS=1 cargo test --test editors` from the compiler's own lists.
if exists("b:current_syntax")
  finish
endif

syntax keyword pdslDeclaration pub fn where expect test let param table plot claim
syntax keyword pdslImport import as
syntax keyword pdslControl if else for in sweep
syntax keyword pdslOperator and or not
syntax keyword pdslBoolean true false
syntax keyword pdslType Arch Augment AxisScale Band Bool Bytes Column Counting Criterion Dissected Float Int Layer Layers List Margin Measured Parameter Plot Points Probe Pruner Range Ratio Recipe Rows Rules Schedule Scope Score Seed Split State Statistic Step Str Table Tallies Task Time Verdict
syntax match pdslNumber /\<\d[0-9_]*\(\.\d\+\)\?\([eE][+-]\?\d\+\)\?\(img\|GiB\|MiB\|min\|pp\|ep\|it\|GB\|MB\|%\|h\|s\)\?/
syntax match pdslLabel /\.\@<!\<\h\w*\ze\s*:=\@!/
syntax match pdslField /\.\@<!\.\zs\h\w*/
syntax match pdslCall /\<\h\w*\ze(/
syntax match pdslPipe /|>\|=>\|->/
syntax match pdslEscape /\\\([nt"\\]\|u{\x\{1,6}}\)/ contained
syntax region pdslString start=/"/ skip=/\\./ end=/"/ oneline contains=pdslEscape
syntax match pdslComment /\/\/.*$/ contains=@Spell
syntax match pdslDoc /\/\/[\/!].*$/ contains=@Spell

highlight default link pdslDeclaration Keyword
highlight default link pdslImport Include
highlight default link pdslControl Conditional
highlight default link pdslOperator Operator
highlight default link pdslPipe Operator
highlight default link pdslBoolean Boolean
highlight default link pdslType Type
highlight default link pdslNumber Number
highlight default link pdslLabel Identifier
highlight default link pdslField Identifier
highlight default link pdslCall Function
highlight default link pdslEscape SpecialChar
highlight default link pdslString String
highlight default link pdslComment Comment
highlight default link pdslDoc SpecialComment

let b:current_syntax = "pdsl"
