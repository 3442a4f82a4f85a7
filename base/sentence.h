/* What is said to people may hold names of foreign origin, and where it is shown is a terminal. */
#pragma once

/* Each byte of a control character becomes '?': no line ends early, no terminal is told to do
 * things. Text in UTF-8 stays as it is. */
void sentence_tame(char *text);
