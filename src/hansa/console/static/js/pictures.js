// Pictures that are wider than their window begin with the item that the page is about.

for (const room of document.querySelectorAll(".drawing-scroll")) {
  const focus = room.querySelector(".node.focus");
  if (focus !== null && room.scrollWidth > room.clientWidth) {
    const { left, width } = focus.getBoundingClientRect();
    const middle = left - room.getBoundingClientRect().left + width / 2;
    room.scrollLeft = middle - room.clientWidth / 2;
  }
}
