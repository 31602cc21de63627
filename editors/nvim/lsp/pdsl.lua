-- For Neovim 0.11 and newer: `vim.lsp.enable("pdsl")`, which plugin/pdsl.lua does.
return {
  cmd = { vim.g.pdsl_path or "pdsl", "lsp" },
  filetypes = { "pdsl" },
  root_markers = { ".git" },
}
