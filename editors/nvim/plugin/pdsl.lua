-- Starts `pdsl lsp` for programs. `vim.g.pdsl_path` names another command, `vim.g.pdsl_lsp = false` starts none.
if vim.g.loaded_pdsl or vim.g.pdsl_lsp == false then
  return
end
vim.g.loaded_pdsl = true

if vim.lsp.enable then
  vim.lsp.enable("pdsl")
  return
end

-- Before Neovim 0.11: one server for all programs.
local id
vim.api.nvim_create_autocmd("FileType", {
  pattern = "pdsl",
  callback = function(event)
    id = id or vim.lsp.start_client({
      name = "pdsl",
      cmd = { vim.g.pdsl_path or "pdsl", "lsp" },
      root_dir = vim.fn.getcwd(),
      on_exit = function()
        id = nil
      end,
    })
    if id then
      vim.lsp.buf_attach_client(event.buf, id)
    end
  end,
})
