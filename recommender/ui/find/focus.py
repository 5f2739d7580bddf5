"""Scripts that take the screen and the focus to what an answer changed."""

# On a phone the results are below the query, and an opened item is above a result far down. Who
# pressed what is gone by now hears what became of it.
TO_STATUS = """() => {
  const bar = document.querySelector("#bar"), top = bar?.getBoundingClientRect().top;
  if (top < 0 || top > innerHeight / 2) bar.scrollIntoView({block: "start"});
  setTimeout(() => {
    const has = document.activeElement;
    if (has && has !== document.body && has.offsetParent) return;
    document.querySelector("#status p")?.focus({preventScroll: true});
  }, 50);
}"""
TO_ITEM = """() => {
  setTimeout(() => {
    document.querySelector("#item")?.scrollIntoView({block: "nearest"});
    document.querySelector("article.item h2")?.focus({preventScroll: true});
  }, 50);
}"""
# Gradio says that a picture which the server put there is gone before it takes it away.
PICTURE_NOW = """async (...values) => {
  await new Promise(done => setTimeout(done));
  const gone = !document.querySelector("#picture img");
  return values.map(value => gone && value?.meta?._type === "gradio.FileData" ? null : value);
}"""
# The button that was pressed is gone, and the focus with it.
TO_RESULTS = """() => {
  setTimeout(() => document.querySelector("#results button")?.focus(), 100);
}"""


# A shared link leads to what it is about, on whatever screen.
TO_PLACE = """() => {
  const bar = document.querySelector("#bar");
  if (!document.querySelector("#beginning")?.offsetParent) bar?.scrollIntoView({block: "start"});
}"""
