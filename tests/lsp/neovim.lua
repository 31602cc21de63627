-- Neovim with the plugin of this project against the real server:
--
--   PDSL=target/release/pdsl nvim --headless --clean -u tests/lsp/neovim.lua
--
-- Prints a line for each question and leaves with 1 if an answer is wrong.

local root = vim.fn.fnamemodify(debug.getinfo(1, "S").source:sub(2), ":p:h:h:h")
vim.opt.runtimepath:prepend(root .. "/editors/nvim")
vim.g.pdsl_path = vim.fn.fnamemodify(vim.env.PDSL, ":p")
vim.opt.swapfile = false
vim.cmd("filetype plugin on | syntax on")
-- With `-u` the plugin is read by hand before 0.11, and does no harm afterwards.
vim.cmd("runtime! ftdetect/pdsl.lua plugin/pdsl.lua")

local wrong = 0
local function check(what, right, shown)
  if not right then
    wrong = wrong + 1
  end
  print(string.format("%-12s %s%s", what, right and "ok" or "WRONG", right and "" or ": " .. vim.inspect(shown)))
end

local folder = vim.fn.tempname()
vim.fn.mkdir(folder, "p")
local path = folder .. "/program.pd"
local lines = {
  "import std.math.{clamp}",
  "/// Twice as much.",
  "fn twice(x: Float) -> Float { x * 2.0 }",
  "let first: Int = \"text\"",
  "let  second = twice(1.5)",
  "let third = clamp(second, low: 0.0, high: 1.0)",
}
vim.fn.writefile(lines, path)

local function clients()
  return vim.lsp.get_clients and vim.lsp.get_clients({ bufnr = 0 }) or vim.lsp.buf_get_clients(0)
end

local function ask(method, line, column, more)
  local params = {
    textDocument = { uri = vim.uri_from_bufnr(0) },
    position = { line = line, character = column },
  }
  local answers = vim.lsp.buf_request_sync(0, method, vim.tbl_extend("force", params, more or {}), 20000) or {}
  for _, answer in pairs(answers) do
    return answer.result or answer.error or answer.err
  end
end

local function main()
  vim.cmd("edit " .. path)
  check("filetype", vim.bo.filetype == "pdsl", vim.bo.filetype)
  check("colours", vim.fn.synIDattr(vim.fn.synID(3, 1, 1), "name") == "pdslDeclaration", vim.fn.synID(3, 1, 1))
  local attached = vim.wait(20000, function()
    return next(clients()) ~= nil
  end)
  check("attached", attached, clients())
  if not attached then
    return
  end

  vim.wait(20000, function()
    return #vim.diagnostic.get(0) > 0
  end)
  local found = vim.diagnostic.get(0)
  check("diagnostics", #found == 1 and found[1].code == "PD0201" and found[1].lnum == 3 and found[1].col == 17, found)

  local hover = ask("textDocument/hover", 4, 15)
  local words = hover and hover.contents and hover.contents.value or ""
  check("hover", words:find("fn twice(x: Float) -> Float", 1, true) and words:find("Twice as much.", 1, true), hover)

  local definition = ask("textDocument/definition", 5, 14)
  local target = definition and vim.uri_to_fname(definition.uri or "file:///") or ""
  local text = vim.fn.filereadable(target) == 1 and vim.fn.readfile(target) or {}
  local line = definition and definition.range and text[definition.range.start.line + 1] or ""
  check("definition", target:match("/std/math%.pd$") and line:find("pub fn clamp", 1, true), definition)

  local actions = ask("textDocument/codeAction", 0, 0, {
    range = { start = { line = 0, character = 0 }, ["end"] = { line = 9, character = 0 } },
    context = { diagnostics = {} },
  })
  check("actions", type(actions) == "table", actions)

  local completion = ask("textDocument/completion", 4, 15)
  local labels = vim.tbl_map(function(item)
    return item.label
  end, completion and completion.items or {})
  check("completion", vim.tbl_contains(labels, "twice") and vim.tbl_contains(labels, "clamp"), labels)

  -- An edit in the buffer, sent as Neovim sends it.
  vim.api.nvim_buf_set_lines(0, 3, 4, false, { "let first = 1" })
  vim.wait(20000, function()
    return #vim.diagnostic.get(0) == 0
  end)
  check("edited", #vim.diagnostic.get(0) == 0, vim.diagnostic.get(0))

  vim.api.nvim_win_set_cursor(0, { 3, 4 })
  vim.lsp.buf.rename("double")
  vim.wait(20000, function()
    return vim.api.nvim_buf_get_lines(0, 2, 3, false)[1]:find("double", 1, true) ~= nil
  end)
  local after = vim.api.nvim_buf_get_lines(0, 0, -1, false)
  check("rename", after[3] == "fn double(x: Float) -> Float { x * 2.0 }" and after[5] == "let  second = double(1.5)", after)

  if vim.lsp.buf.format then
    vim.lsp.buf.format({ timeout_ms = 20000 })
  else
    vim.lsp.buf.formatting_sync(nil, 20000)
  end
  after = vim.api.nvim_buf_get_lines(0, 0, -1, false)
  check("formatting", after[5] == "" and after[#after - 1] == "let second = double(1.5)" or vim.tbl_contains(after, "let second = double(1.5)"), after)
end

local done, failure = pcall(main)
if not done then
  wrong = wrong + 1
  print(failure)
end
print(wrong == 0 and "Neovim is served" or wrong .. " wrong answers")
vim.fn.delete(folder, "rf")
vim.cmd(wrong == 0 and "qall!" or "cquit!")
